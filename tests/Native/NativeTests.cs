using System.Reflection;

namespace Rum.Native.Tests;

/// <summary>The C and C++ programs of programs/, each test of theirs in a process of its own against a real silo.</summary>
public sealed class NativeTests(NativePrograms programs) : IClassFixture<NativePrograms>
{
    private const int Killed = 128 + 9;

    /// <summary>
    /// The ways that pages take: moved over shared memory; copied, as kernels before 6.8 do; and over UDP, whole pages to a frame and in the fragments of
    /// an MTU of 1,500; and fetched by who faults.
    /// </summary>
    private static readonly (string Name, string Value)[][] Ways =
    [
        [("RUM_PAGER", "move")], [("RUM_PAGER", "copy")], [("RUM_TRANSPORT", "udp")], [("RUM_TRANSPORT", "udp"), ("RUM_UDP_PAYLOAD", "1344")], [("RUM_FAULT", "inline")],
        [("RUM_FAULT", "inline"), ("RUM_TRANSPORT", "udp")],
    ];

    private const int InlineWay = 4, InlineUdpWay = 5;

    private static readonly string[] Api =
    [
        "allocates_and_frees", "aligns", "clears", "reallocates", "refuses_absurd_sizes", "refuses_wrong_pointers", "refuses_calls_outside", "counts",
        "has_the_c_names", "writes_locations", "names_errors", "pins_and_prefetches",
    ];

    private static readonly string[] Memory =
    [
        "outgrows_the_cache", "keeps_a_write_after_a_read", "serves_16_threads_on_one_page", "passes_remote_pointers_to_system_calls", "survives_a_fork",
        "touches_nothing_to_allocate", "packs_small_objects", "runs_out_and_recovers", "serves_threads_that_come_and_go", "frees_in_thread_destructors",
        "receives_pages_where_they_stay",
    ];

    private static readonly string[] Segments =
    [
        "keeps_a_name", "writes_a_part_of_a_page_first", "reads_what_the_writer_flushed", "ends_inside_a_page", "resizes_in_place", "is_sparse", "finds_silos",
        "refuses_bad_keys", "clears_what_a_shrink_cuts_off", "opens_and_closes_from_many_threads", "closes_once_for_two_who_close_at_once",
        "resizes_only_what_is_open_once", "asks_from_more_threads_than_there_are_lines",
    ];

    private static readonly string[] Inline =
    [
        "leaves_other_crashes_as_they_are", "passes_signals_on", "pins_for_system_calls", "leaves_blocked_threads_alone", "serves_signal_handlers",
        "serves_ending_threads", "serves_threads_that_block_signals", "children_have_none_of_it", "reads_zeros_where_it_dropped_pages", "counts_as_ever",
    ];

    private static readonly string[] Hash = ["notices_every_bit", "tells_small_counters_apart", "notices_blocks_that_change_places", "copies_what_it_hashes", "depends_on_its_key"];

    /// <summary>Every test over the first way; those of <see cref="Memory"/> and <see cref="Segments"/> over each.</summary>
    public static TheoryData<string, string, int> Programs()
    {
        var data = new TheoryData<string, string, int>();
        foreach (string test in Api) data.Add("api", test, 0);
        data.Add("cplusplus", "has_the_overloads", 0);
        for (int way = 0; way < InlineUdpWay; way++)
        {
            foreach (string test in Memory)
            {
                // With its limits: pins_for_system_calls.
                if (way != InlineWay || test != "passes_remote_pointers_to_system_calls") data.Add("memory", test, way);
            }
            foreach (string test in Segments) data.Add("segments", test, way);
        }
        foreach (string test in Hash) data.Add("hash", test, 0);
        foreach (string test in Inline) data.Add("inline", test, InlineWay);
        foreach (string test in new[] { "serves_signal_handlers", "serves_ending_threads", "reads_zeros_where_it_dropped_pages", "counts_as_ever" }) data.Add("inline", test, InlineUdpWay);
        data.Add("memory", "serves_16_threads_on_one_page", InlineUdpWay);
        data.Add("memory", "receives_pages_where_they_stay", InlineUdpWay);
        data.Add("api", "pins_and_prefetches", InlineWay);
        data.Add("api", "pins_and_prefetches", 1);
        data.Add("api", "reallocates", 1);
        return data;
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Program(string program, string test, int way) => Pass(program, test, Ways[way]);

    [Theory]
    [InlineData("names_the_absent_silo")]
    [InlineData("explains_settings")]
    [InlineData("comes_back_late")]
    public void Failures(string test) => Pass("failures", test, ("RUM_LEASE", "2"));

    [Fact]
    public void Memory_of_a_killed_client_is_freed_with_its_lease()
    {
        (int code, string output) = programs.RunTest("failures", "dies_with_its_memory", ("RUM_LEASE", "1"));
        Assert.True(code == Killed, output);
        Pass("failures", "inherits_its_memory", ("RUM_LEASE", "1"));
    }

    [Fact]
    public void Memory_of_a_process_that_exits_is_freed_at_once()
    {
        // The lease is an hour: only a polite end can free it in time.
        Pass("failures", "forgets_rum_end", ("RUM_LEASE", "3600"));
        Pass("failures", "inherits_its_memory");
    }

    [Fact]
    public void No_test_of_a_program_is_left_out()
    {
        var named = new HashSet<string> { "dies_with_its_memory", "inherits_its_memory", "forgets_rum_end" };
        foreach (ITheoryDataRow row in Programs()) named.Add((string)row.GetData()[1]!);
        foreach (MethodInfo method in typeof(NativeTests).GetMethods())
        {
            foreach (InlineDataAttribute data in method.GetCustomAttributes<InlineDataAttribute>()) named.Add((string)data.Data[0]!);
        }
        foreach (string program in new[] { "api", "memory", "segments", "cplusplus", "failures", "inline", "hash" })
        {
            (_, string listed) = programs.RunTest(program, "");
            Assert.StartsWith("no test is named", listed);
            foreach (string test in programs.List(program)) Assert.True(named.Contains(test), $"{program} {test} is run by nobody");
        }
    }

    private void Pass(string program, string test, params (string Name, string Value)[] settings)
    {
        (int code, string output) = programs.RunTest(program, test, settings);
        Assert.True(code == 0 && output.Contains($"ok {test}"), $"{program} {test} ended with {code}:\n{output}");
    }
}
