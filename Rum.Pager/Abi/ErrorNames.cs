using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.Pager.Abi;

/// <summary>The names of the error codes as C strings that live as long as the process.</summary>
internal static class ErrorNames
{
    private static readonly nint[] Names = Make();
    private static readonly nint Unknown = Marshal.StringToCoTaskMemUTF8("Unknown");

    /// <summary>The name of a code; never null.</summary>
    public static nint Of(int code) => (uint)code < (uint)Names.Length && Names[code] != 0 ? Names[code] : Unknown;

    private static nint[] Make()
    {
        RumError[] all = Enum.GetValues<RumError>();
        var names = new nint[(int)all[^1] + 1];
        foreach (RumError error in all) names[(int)error] = Marshal.StringToCoTaskMemUTF8(error.ToString());
        return names;
    }
}
