using System.Runtime.InteropServices;

namespace Rum.FastPath.Server;

/// <summary>A control answer on its way to the data thread; its payload stands in native memory so that drivers can send from it.</summary>
internal sealed unsafe class OutgoingControl : IDisposable
{
    public OutgoingControl(ControlRequest request, ushort status, ReadOnlySpan<byte> payload)
    {
        Request = request;
        Status = status;
        Length = payload.Length;
        Payload = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, payload.Length));
        payload.CopyTo(new Span<byte>(Payload, payload.Length));
    }

    public ControlRequest Request { get; }

    public ushort Status { get; }

    public byte* Payload { get; private set; }

    public int Length { get; }

    public void Dispose()
    {
        NativeMemory.Free(Payload);
        Payload = null;
    }
}
