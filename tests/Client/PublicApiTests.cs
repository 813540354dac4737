using System.Reflection;
using System.Text;

namespace Rum.Client.Tests;

/// <summary>
/// The public surface as text. A change shows in review: run with <c>RUM_UPDATE_API=tests/Client/PublicAPI.txt</c> (a full path) to take it over.
/// </summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_surface_is_what_was_reviewed()
    {
        string actual = Describe(typeof(RumClient).Assembly);
        if (Environment.GetEnvironmentVariable("RUM_UPDATE_API") is { Length: > 0 } path) File.WriteAllText(path, actual);
        string[] reviewed = File.ReadAllLines(Environment.GetEnvironmentVariable("RUM_UPDATE_API") ?? Path.Combine(AppContext.BaseDirectory, "PublicAPI.txt"));
        string[] lines = actual.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([], lines.Except(reviewed).Select(line => "new: " + line));
        Assert.Equal([], reviewed.Except(lines).Select(line => "gone: " + line));
    }

    private static string Describe(Assembly assembly)
    {
        StringBuilder text = new();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            string name = Name(type);
            string kind = type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsAbstract && type.IsSealed ? "static class" : type.IsSealed ? "sealed class" : "class";
            text.Append($"{kind} {type.Namespace}.{name}{(type.BaseType is { } b && b != typeof(object) && !type.IsValueType ? " : " + Name(b) : "")}\n");
            foreach (string member in Members(type).Order(StringComparer.Ordinal)) text.Append($"{name}.{member}\n");
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (MemberInfo member in type.GetMembers(declared))
        {
            switch (member)
            {
                case FieldInfo { IsSpecialName: false } field:
                    yield return $"{field.Name} -> {Name(field.FieldType)}{(field.IsLiteral ? " = " + field.GetRawConstantValue() : "")}";
                    break;
                case PropertyInfo property:
                    yield return $"{property.Name} {{ {(property.GetMethod is { IsPublic: true } ? "get; " : "")}{(property.SetMethod is { IsPublic: true } ? "set; " : "")}}} -> {Name(property.PropertyType)}";
                    break;
                case ConstructorInfo constructor:
                    yield return $"new({Parameters(constructor)})";
                    break;
                // What the compiler makes of a record is not worth a review.
                case MethodInfo { IsSpecialName: false } method when method.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is null && !method.Name.StartsWith('<'):
                    yield return $"{method.Name}{Generic(method.GetGenericArguments())}({Parameters(method)}) -> {Name(method.ReturnType)}";
                    break;
            }
        }
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{(p.IsOut ? "out " : "")}{Name(p.ParameterType.IsByRef ? p.ParameterType.GetElementType()! : p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = " + (p.DefaultValue ?? "default") : "")}"));

    private static string Generic(Type[] arguments) => arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";

    private static string Name(Type type)
    {
        if (type.IsByRef) return "ref " + Name(type.GetElementType()!);
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        return type.IsGenericType ? type.Name[..type.Name.IndexOf('`')] + Generic(type.GetGenericArguments()) : type.Name;
    }
}
