using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.Unit.FastPath;

/// <summary>docs/PROTOCOL.md says what the code does.</summary>
public sealed class ProtocolDocumentTests
{
    private static IEnumerable<string[]> Rows(string heading, [CallerFilePath] string here = "")
    {
        string document = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/PROTOCOL.md"));
        int start = document.IndexOf(heading, StringComparison.Ordinal);
        Assert.True(start >= 0, $"no section '{heading}'");
        int end = document.IndexOf("\n## ", start + heading.Length, StringComparison.Ordinal);
        return document[start..(end < 0 ? document.Length : end)].Split('\n')
            .Where(line => line.StartsWith('|') && line.Length > 2 && char.IsDigit(line[2]))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]);
    }

    [Fact]
    public void Every_field_of_the_header_stands_where_the_table_says()
    {
        string[][] rows = [.. Rows("## 1.")];
        FieldInfo[] fields = typeof(FrameHeader).GetFields(BindingFlags.Instance | BindingFlags.Public);
        Assert.Equal(fields.Select(f => f.Name), rows.Select(r => r[2]));
        int next = 0;
        foreach (string[] row in rows)
        {
            FieldInfo field = fields.Single(f => f.Name == row[2]);
            Type type = field.FieldType.IsEnum ? Enum.GetUnderlyingType(field.FieldType) : field.FieldType;
            Assert.Equal(int.Parse(row[0]), (int)Marshal.OffsetOf<FrameHeader>(field.Name));
            Assert.Equal(int.Parse(row[1]), Marshal.SizeOf(type));
            Assert.Equal(next, int.Parse(row[0]));
            next += int.Parse(row[1]);
        }
        Assert.Equal(FrameHeader.Size, next);
    }

    [Fact]
    public void Every_message_and_status_is_listed()
    {
        Assert.Equal(
            Enum.GetValues<FrameType>().Where(t => t is > FrameType.None and < FrameType.Answer).Select(t => $"{(byte)t} {t}"),
            Rows("## 2.").Select(r => $"{r[0]} {r[1].Split(':')[0]}"));
        Assert.Equal(Enum.GetValues<PageStatus>().Select(s => $"{(ushort)s} {s}"), Rows("## 4.").Select(r => $"{r[0]} {r[1]}"));
    }
}
