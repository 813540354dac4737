namespace Rum.FastPath.Linux;

/// <summary>The kernel's boot id: two processes with the same one can share memory.</summary>
public static class BootId
{
    /// <summary>This machine's; where it can't be read one that equals no other, so that nobody takes itself to be on the same machine.</summary>
    public static string Value { get; } = Read();

    private static string Read()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"unknown-{Guid.NewGuid():n}";
        }
    }
}
