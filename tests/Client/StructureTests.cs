using System.Reflection;
using System.Runtime.InteropServices;
using Rum.Native;
using Rum.Pager.Abi;

namespace Rum.Client.Tests;

/// <summary>The structures that cross into librum.so are the same on both sides.</summary>
public sealed class StructureTests
{
    [Theory]
    [InlineData(typeof(AllocateRequest), typeof(ClientAllocation))]
    [InlineData(typeof(MappedSegment), typeof(ClientSegment))]
    [InlineData(typeof(ClientStatistics), typeof(ClientCounters))]
    public void Both_sides_have_the_same_fields_at_the_same_places(Type ours, Type theirs) => Assert.Equal(Fields(theirs), Fields(ours));

    private static IEnumerable<string> Fields(Type type) => type
        .GetFields(BindingFlags.Instance | BindingFlags.NonPublic)
        .Select(field => $"{Marshal.OffsetOf(type, field.Name)}: {field.FieldType} {field.Name}");
}
