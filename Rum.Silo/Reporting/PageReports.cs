namespace Rum.Silo.Reporting;

// What the page /rum reads, from /rum/api. Field names are part of the interface: add, never rename.

/// <summary>What one silo knows by itself, as /rum/api/local prints it; other silos ask for it to show the whole cluster.</summary>
/// <param name="Silo">Its name.</param>
/// <param name="AtMs">When, by its clock, in milliseconds since 1970: rates are differences of counters by differences of this.</param>
/// <param name="Leads">Whether it leads the council; only then are there events.</param>
/// <param name="Counters">As in /stats.</param>
/// <param name="Service">How long it took to answer page requests.</param>
/// <param name="Events">What the council decided and noticed lately, oldest first.</param>
public sealed record LocalReport(
    string Silo, long AtMs, bool Leads, IReadOnlyDictionary<string, long> Counters, IReadOnlyList<TimesReport> Service, IReadOnlyList<EventReport> Events);

/// <summary>How many times lay from <paramref name="FromNs"/> to below <paramref name="ToNs"/>.</summary>
public sealed record TimesReport(long FromNs, long ToNs, long Count);

/// <summary>Something that was decided (then with its decree) or noticed.</summary>
public sealed record EventReport(ulong Number, long AtMs, ulong Decree, string Kind, string Text);

/// <summary>The cluster now, as /rum/api/overview prints it.</summary>
/// <param name="Here">The silo that answered.</param>
/// <param name="AtMs">When, by its clock.</param>
/// <param name="ViewDecree">The decree of the newest view: ask for the ring again when it has changed.</param>
/// <param name="Cluster">As in /status.</param>
/// <param name="Live">What each silo says, by id.</param>
/// <param name="Events">The council's, oldest first.</param>
/// <param name="EventsMissing">Why there are none, empty when there could be.</param>
public sealed record OverviewReport(
    string Here, long AtMs, ulong ViewDecree, ClusterReport Cluster, IReadOnlyList<LiveReport> Live, IReadOnlyList<EventReport> Events, string EventsMissing);

/// <summary>What a silo says of itself now; <paramref name="Missing"/> tells why it says nothing.</summary>
public sealed record LiveReport(
    int Silo, string Missing, long AtMs, long Pages, long ResidentBytes, long PagesRead, long PagesWritten, IReadOnlyList<TimesReport> Service);

/// <summary>The ring, as /rum/api/ring prints it: for each shard the silo of its lead replica, 0 for none yet, -1 for a lost one.</summary>
public sealed record RingReport(ulong Decree, int RingShards, IReadOnlyList<int> Shards);

/// <summary>Segments that fit a search, as /rum/api/segments prints them; <paramref name="More"/>: there are others.</summary>
public sealed record SegmentPageReport(string Search, bool More, IReadOnlyList<SegmentReport> Segments);

/// <summary>Sessions that fit a search, as /rum/api/sessions prints them.</summary>
public sealed record SessionPageReport(string Search, bool More, IReadOnlyList<SessionReport> Sessions);
