using Rum.Core;

namespace Rum.FastPath.Client;

/// <summary>How a control request ended.</summary>
/// <param name="Error">None: <paramref name="Payload"/> is the answer. Unavailable: nobody answered in time. Incompatible: nobody
/// but an end that speaks another version. Else what the silo put into the header's status.</param>
/// <param name="Payload">The answer's message; empty where there is none.</param>
/// <param name="Incarnation">The silo that answered.</param>
public readonly record struct ControlReply(RumError Error, byte[] Payload, Incarnation Incarnation);
