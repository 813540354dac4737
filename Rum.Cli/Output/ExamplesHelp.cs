using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Rum.Cli.Output;

/// <summary>A command that shows how it is used.</summary>
internal sealed class ExampleCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>Prints a command's examples below its help.</summary>
internal sealed class ExamplesHelp(HelpAction help) : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root)
    {
        HelpOption option = root.Options.OfType<HelpOption>().Single();
        option.Action = new ExamplesHelp((HelpAction)option.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is ExampleCommand { Examples.Count: > 0 } command)
        {
            Console.WriteLine("Examples:");
            foreach (string example in command.Examples) Console.WriteLine($"  {example}");
            Console.WriteLine();
        }
        return code;
    }
}
