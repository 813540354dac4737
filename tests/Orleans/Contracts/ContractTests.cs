using System.Reflection;
using System.Text;
using Orleans.CodeGeneration;

namespace Rum.Grains.Tests.Contracts;

/// <summary>
/// What grains and their callers of different versions must agree on, as text. A change shows in review: run with
/// <c>RUM_UPDATE_CONTRACTS=tests/Orleans/Contracts/Contracts.txt</c> (a full path) to take it over. Lines may be added; a line that changes or goes breaks
/// clusters in which both versions run.
/// </summary>
public sealed class ContractTests
{
    [Fact]
    public void The_wire_contracts_are_what_was_reviewed()
    {
        string actual = Describe();
        if (Environment.GetEnvironmentVariable("RUM_UPDATE_CONTRACTS") is { Length: > 0 } path) File.WriteAllText(path, actual);
        string[] reviewed = File.ReadAllLines(Environment.GetEnvironmentVariable("RUM_UPDATE_CONTRACTS") ?? Path.Combine(AppContext.BaseDirectory, "Contracts", "Contracts.txt"));
        string[] lines = actual.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([], lines.Except(reviewed).Select(line => "new: " + line));
        Assert.Equal([], reviewed.Except(lines).Select(line => "gone: " + line));
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (Type type in typeof(ISegmentGrain).Assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            if (typeof(IGrain).IsAssignableFrom(type) && type.IsInterface) Interface(text, type);
            else if (type.GetCustomAttribute<GenerateSerializerAttribute>() is not null) Record(text, type);
        }
        return text.ToString();
    }

    private static void Interface(StringBuilder text, Type type)
    {
        string alias = AliasOf(type);
        text.Append($"interface {alias} version {type.GetCustomAttribute<VersionAttribute>()!.Version} key {type.GetInterfaces().Single(i => i.Name.StartsWith("IGrainWith", StringComparison.Ordinal)).Name[10..^3]}\n");
        foreach (MethodInfo method in type.GetMethods().OrderBy(m => m.Name, StringComparer.Ordinal))
            text.Append($"{alias}.{AliasOf(method)}({string.Join(", ", method.GetParameters().Select(p => Name(p.ParameterType)))}) -> {Name(method.ReturnType)}\n");
    }

    private static void Record(StringBuilder text, Type type)
    {
        string alias = AliasOf(type);
        text.Append($"{(type.IsValueType ? "struct" : "class")} {alias}\n");
        foreach (PropertyInfo property in type.GetProperties().Where(p => p.GetCustomAttribute<IdAttribute>() is not null).OrderBy(p => p.GetCustomAttribute<IdAttribute>()!.Id))
            text.Append($"{alias} {property.GetCustomAttribute<IdAttribute>()!.Id} {property.Name}: {Name(property.PropertyType)}\n");
    }

    private static string AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()?.Alias ?? throw new InvalidOperationException($"{member} has no alias");

    private static string Name(Type type) =>
        type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.IsArray ? Name(type.GetElementType()!) + "[]"
        : type.GetCustomAttribute<AliasAttribute>()?.Alias ?? type.Name;
}
