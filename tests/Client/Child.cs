namespace Rum.Client.Tests;

/// <summary>The .NET program of tests/ClientChild, one of whose scenarios its argument names.</summary>
internal sealed class Child(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    : TestProcess("dotnet", [Path.Combine(AppContext.BaseDirectory, "rum-client-child.dll"), .. arguments], environment);
