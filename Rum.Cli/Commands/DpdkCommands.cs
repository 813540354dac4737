using System.CommandLine;
using Rum.Cli.Output;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Cli.Commands;

/// <summary><c>rum dpdk</c>.</summary>
internal static class DpdkCommands
{
    public static Command Build() => new("dpdk", "The DPDK transport on this machine") { BuildCheck() };

    private static ExampleCommand BuildCheck()
    {
        var start = new Option<string?>("--start") { Description = "Also start DPDK with these EAL arguments and list its ports", HelpName = "arguments" };
        var command = new ExampleCommand(
            "check",
            "Look at library, huge pages, IOMMU, VFIO, cards and NUMA, and print the commands that fix what is missing. Changes nothing.",
            "rum dpdk check",
            "rum dpdk check --start \"--no-huge --vdev=net_vhost0,iface=/tmp/rum.vhost,queues=1\"");
        command.Options.Add(start);
        command.SetAction(parsed => Check(parsed.GetValue(start)));
        return command;
    }

    private static int Check(string? arguments)
    {
        bool good = true;
        foreach (CheckResult result in new HostCheck().Run()) good &= Print(result);
        if (arguments is not null) good &= Start(arguments);
        Console.WriteLine(good ? "DPDK can be used here; see docs/DPDK.md." : "DPDK can't be used here yet: run what is printed above.");
        return good ? ExitCode.Ok : ExitCode.Failed;
    }

    private static bool Start(string arguments)
    {
        try
        {
            DpdkOptions options = DpdkOptions.Parse(arguments);
            Eal.Start(options.Eal);
            ushort[] ids = Eal.Ports();
            bool good = Print(new CheckResult("start", ids.Length > 0 ? CheckState.Good : CheckState.Bad, $"DPDK runs with {ids.Length} ports ({string.Join(' ', Eal.Arguments)})"));
            foreach (ushort id in ids)
            {
                using DpdkDriver driver = DpdkDriver.Open(DpdkPort.Look(id), options);
                DpdkPort port = driver.Port;
                good &= Print(new CheckResult($"port {port.Name}", CheckState.Good,
                    $"{port.DriverName}, {DpdkPeer.Format(driver.Address)}, MTU {port.Mtu}, {port.Queues} queues, link {(port.LinkUp ? "up" : "down")}, NUMA node {port.Socket}, "
                    + (driver.WaitDescriptor < 0 ? "polled" : "can be waited for") + (port.SendsFromPlace ? ", pages are sent from their place" : ", pages are copied to be sent")));
            }
            return good;
        }
        catch (DpdkException e)
        {
            return Print(new CheckResult("start", CheckState.Bad, e.Message));
        }
    }

    private static bool Print(CheckResult result)
    {
        string mark = result.State switch { CheckState.Good => "ok  ", CheckState.Note => "note", _ => "BAD " };
        Console.WriteLine($"{mark}  {result.Point}: {result.Found}");
        foreach (string fix in result.Fixes) Console.WriteLine($"        {fix}");
        return result.State != CheckState.Bad;
    }
}
