using System.Diagnostics;

namespace Rum.Cluster.Tests.Programs;

/// <summary>A C program of this folder, compiled as a user would and run beside the test, which writes lines to it and reads its lines.</summary>
internal sealed class NativeProgram : TestProcess
{
    private NativeProgram(string program, string[] arguments, Dictionary<string, string> environment)
        : base(program, arguments, environment)
    {
    }

    public string Output => Said;

    public string[] Lines => [.. SaidLines];

    /// <summary>Compiles a source into a program. Skips the test where there is no compiler.</summary>
    public static string Compile(string source, TemporaryDirectory directory)
    {
        if (!File.Exists("/usr/bin/gcc")) Assert.Skip("gcc is not installed");
        string library = Path.Combine(AppContext.BaseDirectory, "librum.so");
        Assert.True(File.Exists(library), $"{library} was not built");
        string program = directory.File(Path.GetFileNameWithoutExtension(source));
        string[] arguments =
        [
            "-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-I", Path.Combine(Repository.Root, "include"), source, "-o", program, library,
            $"-Wl,-rpath,{AppContext.BaseDirectory}",
        ];
        using Process gcc = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true })!;
        string errors = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        Assert.True(gcc.ExitCode == 0, errors);
        return program;
    }

    /// <summary>Compiles a source of this folder.</summary>
    public static string CompileOwn(string name, TemporaryDirectory directory) =>
        Compile(Path.Combine(Repository.Root, "tests", "Cluster", "Programs", name + ".c"), directory);

    public static NativeProgram Start(string program, Dictionary<string, string> environment, params string[] arguments) => new(program, arguments, environment);

    /// <summary>Skips the test where the machine doesn't permit what the program needs; else waits for a line.</summary>
    public async Task WaitForAsync(string text)
    {
        await Eventually.Async(() => Output.Contains(text) || HasExited, $"'{text}' from the program", () => Output);
        if (!Output.Contains(text)) await ExitAsync();
        if (!Output.Contains(text) && Output.Contains("userfaultfd is not permitted")) Assert.Skip(Output);
        Assert.Contains(text, Output);
    }
}
