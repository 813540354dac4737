namespace Rum.Cli.Demo;

/// <summary>Whether this user may take page faults that happen inside system calls.</summary>
internal static class UserfaultfdPermission
{
    private const string Device = "/dev/userfaultfd";
    private const string Setting = "/proc/sys/vm/unprivileged_userfaultfd";

    /// <summary>A line about what the missing permission costs, or null when there is nothing to say.</summary>
    public static string? Warning()
    {
        if (Environment.UserName == "root" || MayOpenDevice() || File.Exists(Setting) && File.ReadAllText(Setting).Trim() == "1") return null;
        return "userfaultfd is limited to user mode for this user: system calls (read, write, send) on remote memory that isn't local fail with EFAULT; "
            + $"loads and stores work. To lift it: sudo setfacl -m u:$USER:rw {Device}, or sudo sysctl vm.unprivileged_userfaultfd=1.";
    }

    private static bool MayOpenDevice()
    {
        try
        {
            using FileStream device = new(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
