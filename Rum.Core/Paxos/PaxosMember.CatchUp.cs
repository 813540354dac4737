namespace Rum.Core.Paxos;

/// <content>Learning what others decided: values while they are kept, else the state.</content>
public sealed partial class PaxosMember
{
    private long _fetchAtNs = long.MinValue;
    private byte[] _incoming = [];
    private ulong _incomingDecree;
    private long _incomingBytes;
    private (ulong Decree, byte[] Bytes) _captured;

    /// <summary>Takes what a leader's message says about decided decrees.</summary>
    private void CatchUp(ulong from, LeaderMessage message)
    {
        if (message.Chosen == Chosen + 1 && _accepted is { } accepted && accepted.Decree == message.Chosen && _rules.Proves(accepted.Ballot, message.Proof))
        {
            _proof = message.Proof;
            ApplyChosen(accepted.Decree, accepted.Value);
        }
        else if (message.Chosen > Chosen || (_blank && from != Seat))
        {
            FetchFrom(from);
        }
    }

    private void FetchFrom(ulong from)
    {
        if (_nowNs < _fetchAtNs) return;
        _fetchAtNs = _nowNs + _options.ResendNs;
        Send(from, new Fetch(Chosen, _blank, _incomingDecree, _incomingBytes), afterSync: false);
    }

    private void OnFetch(ulong from, Fetch fetch)
    {
        if (_blank) return;
        bool continues = fetch.Offset > 0 && _captured.Bytes is not null && fetch.State == _captured.Decree && fetch.Offset < _captured.Bytes.Length;
        if (continues || fetch.Blank || fetch.After < Chosen)
        {
            if (continues || fetch.Blank || _kept.Count == 0 || _kept[0].Decree > fetch.After + 1) SendState(from, fetch, continues ? fetch.Offset : 0);
            else SendDecrees(from, fetch.After + 1);
        }
        else if (_outstanding is not null && _machine.Council.Contains(from) && !_votes.Contains(from))
        {
            // It has everything; what it could not take before, it can take now.
            SendProposal(from);
        }
    }

    private void SendDecrees(ulong to, ulong first)
    {
        var values = new List<byte[]>();
        int bytes = 0;
        for (int i = (int)(first - _kept[0].Decree); i < _kept.Count && (values.Count == 0 || bytes + _kept[i].Value.Length <= _options.PieceBytes); i++)
        {
            values.Add(_kept[i].Value);
            bytes += _kept[i].Value.Length + 4;
        }
        Send(to, new Learn(first, values), afterSync: false);
    }

    private void SendState(ulong to, Fetch fetch, long offset)
    {
        // The same capture serves everybody who is behind, until one needs a newer one.
        if (offset == 0 && (_captured.Bytes is null || (!fetch.Blank && _captured.Decree <= fetch.After))) _captured = (Chosen, _machine.Capture());
        int length = (int)Math.Min(_options.PieceBytes, _captured.Bytes.Length - offset);
        Send(to, new StatePiece(_captured.Decree, _captured.Bytes.Length, offset, _captured.Bytes.AsSpan((int)offset, length).ToArray()), afterSync: false);
    }

    private void OnLearn(ulong from, Learn learn)
    {
        if (_blank) return;
        bool any = false, up = Role is PaxosRole.Preparing or PaxosRole.Leading;
        for (int i = 0; i < learn.Values.Count; i++)
        {
            ulong decree = learn.First + (ulong)i;
            if (decree != Chosen + 1) continue;
            byte[] value = learn.Values[i];
            if (_accepted is not { } accepted || !accepted.Value.AsSpan().SequenceEqual(value)) Write(new AcceptRecord(decree, default, value));
            _proof = default;
            ApplyChosen(decree, value);
            any = true;
        }
        if (!any) return;
        // What it was about to decide is decided: the promises that it has are for that decree, and the council may be another one.
        if (up && IsMember) Prepare();
        else if (Role != PaxosRole.Following) Follow(0);
        _fetchAtNs = long.MinValue;
        _incomingBytes = 0;
        FetchFrom(from);
    }

    private void OnStatePiece(ulong from, StatePiece piece)
    {
        if ((!_blank && piece.Decree <= Chosen) || piece.Total is < 0 or > int.MaxValue) return;
        if (piece.Decree != _incomingDecree || _incomingBytes == 0)
        {
            if (piece.Offset != 0) return;
            (_incomingDecree, _incoming, _incomingBytes) = (piece.Decree, new byte[piece.Total], 0);
        }
        if (piece.Offset != _incomingBytes || piece.Total != _incoming.Length || piece.Offset + piece.Bytes.Length > piece.Total) return;
        piece.Bytes.CopyTo(_incoming, (int)piece.Offset);
        _incomingBytes += piece.Bytes.Length;
        _fetchAtNs = long.MinValue;
        if (_incomingBytes == piece.Total) Install();
        FetchFrom(from);
    }

    private void Install()
    {
        if (Role != PaxosRole.Following) Follow(0);
        _machine.Restore(_incomingDecree, _incoming);
        Chosen = _incomingDecree;
        _blank = false;
        _accepted = null;
        _proof = default;
        _kept.Clear();
        _captured = default;
        Write(new InstallRecord(_incomingDecree, _incoming));
        (_incoming, _incomingBytes, _incomingDecree) = ([], 0, 0);
    }
}
