using Orleans.CodeGeneration;

namespace Rum.Grains;

/// <summary>
/// A segment. Its key is the segment's: 32 hex digits for a named one, '#' and its number for anonymous memory (<see cref="GrainKeys"/>). Keeps nothing
/// that isn't in the council: each call is one conditional command or question, each answer carries its decree, and the same call at another activation is
/// the same request.
/// </summary>
[Alias("rum.ISegmentGrain")]
[Version(1)]
public interface ISegmentGrain : IGrainWithStringKey
{
    /// <summary>Makes the named segment and opens it for writing.</summary>
    [Alias("Create")]
    Task<SegmentReply> CreateAsync(CreateSegment call);

    /// <summary>Opens the named segment; for writing the reply has its token.</summary>
    [Alias("Open")]
    Task<SegmentReply> OpenAsync(OpenSegment call);

    /// <summary>Gives back the write token, or a reader's place.</summary>
    [Alias("Close")]
    Task<SegmentReply> CloseAsync(SegmentCall call);

    /// <summary>Changes the size.</summary>
    [Alias("Resize")]
    Task<SegmentReply> ResizeAsync(ResizeSegment call);

    /// <summary>Gives whole extents of anonymous memory back to the silos, or charges them again.</summary>
    [Alias("Charge")]
    Task<SegmentReply> ChargeAsync(ChargeSegment call);

    /// <summary>Frees it.</summary>
    [Alias("Free")]
    Task<SegmentReply> FreeAsync(SegmentCall call);

    /// <summary>Size, users, token and home.</summary>
    [Alias("Describe")]
    Task<SegmentDescription> DescribeAsync();

    /// <summary>Where its extents are.</summary>
    [Alias("Statistics")]
    Task<SegmentStatistics> StatisticsAsync();
}
