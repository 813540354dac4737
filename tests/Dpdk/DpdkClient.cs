namespace Rum.Dpdk.Tests;

/// <summary>A program at the wire's other end.</summary>
internal sealed class DpdkClient(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    : TestProcess(program, arguments, environment);
