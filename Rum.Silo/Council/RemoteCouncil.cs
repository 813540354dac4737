using System.Net;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Udp;

namespace Rum.Silo.Council;

/// <summary>
/// The council of another process, by control frames over UDP. A silo that isn't the leader names the one that is, which is then asked. Thread-safe:
/// one request at a time.
/// </summary>
public sealed class RemoteCouncil : ICouncil, IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ControlClient _client;
    private readonly TimeSpan _patience;

    /// <summary>For the council at an address; a request may take as long as <paramref name="patience"/>.</summary>
    public RemoteCouncil(IPEndPoint address, TimeSpan patience)
        : this([address], patience)
    {
    }

    /// <summary>For the council that is found at one of several addresses, tried in their order.</summary>
    public RemoteCouncil(IReadOnlyList<IPEndPoint> addresses, TimeSpan patience)
    {
        _patience = patience;
        _client = new ControlClient(UdpDriver.Toward(addresses), [.. addresses.Select(UdpPeer.From)], new ControlClientOptions { LeaderOf = LeaderOf });
    }

    /// <summary>Where it is, as far as known.</summary>
    public IPEndPoint Address => UdpPeer.ToEndPoint(_client.Current);

    /// <inheritdoc/>
    public async Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Ask(request, cancellation), cancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _turn.Wait();
        _client.Dispose();
        _turn.Dispose();
    }

    private CouncilAnswer Ask(CouncilRequest request, CancellationToken cancellation)
    {
        byte[] buffer = new byte[RequestCodec.BytesMax];
        int length = RequestCodec.Encode(buffer, request);
        Invariant.Check(length >= 0);
        ControlReply reply = _client.Call(default, buffer.AsSpan(0, length), _patience, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (AnswerCodec.TryDecode(reply.Payload, out CouncilAnswer? answer)) return answer;
        throw new CouncilUnreachableException(reply.Payload.Length == 0 && reply.Error != RumError.Incompatible
            ? $"no silo answers at {Address} (UDP, waited {_patience.TotalSeconds:0.#} s)"
            : $"{Address} speaks another version of the protocol than this program; bring both to one version");
    }

    private static PeerAddress? LeaderOf(byte[] answer) =>
        AnswerCodec.TryDecode(answer, out CouncilAnswer? decoded) && IPEndPoint.TryParse(decoded.Message, out IPEndPoint? leader) ? UdpPeer.From(leader) : null;
}
