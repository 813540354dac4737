using System.Reflection;

namespace Rum.Native.Tests;

/// <summary>The C and C++ programs of programs/, each test of theirs in a process of its own against a real silo.</summary>
public sealed class NativeTests(NativePrograms programs) : IClassFixture<NativePrograms>
{
    private const int Killed = 128 + 9;

    [Theory]
    [InlineData("allocates_and_frees")]
    [InlineData("aligns")]
    [InlineData("clears")]
    [InlineData("reallocates")]
    [InlineData("refuses_absurd_sizes")]
    [InlineData("refuses_wrong_pointers")]
    [InlineData("refuses_calls_outside")]
    [InlineData("counts")]
    [InlineData("has_the_c_names")]
    [InlineData("writes_locations")]
    [InlineData("names_errors")]
    [InlineData("pins_and_prefetches")]
    public void Api(string test) => Pass("api", test);

    [Theory]
    [InlineData("outgrows_the_cache")]
    [InlineData("keeps_a_write_after_a_read")]
    [InlineData("serves_16_threads_on_one_page")]
    [InlineData("passes_remote_pointers_to_system_calls")]
    [InlineData("survives_a_fork")]
    [InlineData("touches_nothing_to_allocate")]
    [InlineData("packs_small_objects")]
    [InlineData("runs_out_and_recovers")]
    [InlineData("serves_threads_that_come_and_go")]
    public void Memory(string test) => Pass("memory", test);

    [Theory]
    [InlineData("outgrows_the_cache")]
    [InlineData("keeps_a_write_after_a_read")]
    public void Memory_over_udp(string test) => Pass("memory", test, ("RUM_TRANSPORT", "udp"));

    [Theory]
    [InlineData("keeps_a_name")]
    [InlineData("writes_a_part_of_a_page_first")]
    [InlineData("reads_what_the_writer_flushed")]
    [InlineData("ends_inside_a_page")]
    [InlineData("resizes_in_place")]
    [InlineData("is_sparse")]
    [InlineData("finds_silos")]
    [InlineData("refuses_bad_keys")]
    public void Segments(string test) => Pass("segments", test);

    [Theory]
    [InlineData("has_the_overloads")]
    public void Cplusplus(string test) => Pass("cplusplus", test);

    [Theory]
    [InlineData("names_the_absent_silo")]
    [InlineData("explains_settings")]
    [InlineData("comes_back_late")]
    public void Failures(string test) => Pass("failures", test, ("RUM_LEASE", "1"));

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
        foreach (MethodInfo method in typeof(NativeTests).GetMethods())
        {
            foreach (InlineDataAttribute data in method.GetCustomAttributes<InlineDataAttribute>()) named.Add((string)data.Data[0]!);
        }
        foreach (string program in new[] { "api", "memory", "segments", "cplusplus", "failures" })
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
