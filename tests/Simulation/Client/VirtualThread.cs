using Rum.Core;
using Rum.Pager.Paging;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Client;

/// <summary>
/// A thread of the program: runs its statements one after the other, and waits in them for pages, commands and the council like a real one. A
/// program yields when others may run: 0 or more: after so many nanoseconds; below: when woken.
/// </summary>
internal sealed unsafe class VirtualThread(SimulatedProcess process, int index)
{
    public const long UntilWoken = -1;

    private IEnumerator<long>? _program;
    private string _doing = "";

    public SimulatedProcess Process => process;

    public int Index => index;

    public string Name { get; } = $"{process.Name}.t{index}";

    /// <summary>When it goes on; <see cref="long.MaxValue"/> while it waits.</summary>
    public long NextNs { get; private set; } = long.MaxValue;

    public bool Ended => _program == null;

    /// <summary>The answer of the last command of the pager.</summary>
    public RumError Result { get; set; }

    public uint Requests { get; set; }

    public void Run(IEnumerable<long> program)
    {
        _program = program.GetEnumerator();
        NextNs = process.World.NowNs;
    }

    /// <summary>Goes on with the next statement.</summary>
    public void Step()
    {
        NextNs = long.MaxValue;
        if (!_program!.MoveNext()) _program = null;
        else if (_program.Current >= 0) NextNs = process.World.NowNs + _program.Current;
    }

    /// <summary>What it waited for has come.</summary>
    public void Woken() => NextNs = process.World.NowNs + process.World.Random.Next(15_000);

    public override string ToString() => $"{Name} {(Ended ? "has ended" : NextNs == long.MaxValue ? "waits in " + _doing : _doing)}";

    /// <summary>Loads a word. False: the page isn't there yet, wait and try again.</summary>
    public Touch Load(Attachment at, int page, int word)
    {
        _doing = $"load of page {at.Model[page].Number} of {at.Model.Name}";
        Touch touch = process.Memory.Access(at.AddressOf(page) + SegmentModel.Offsets[word], false, this, out byte* address);
        if (touch != Touch.Done) return Told(touch, at, page);
        ulong seen = *(ulong*)address, right = at.Model[page].Words[word];
        Note("loads page {0}: {1:x}", at.Model[page].Number, (long)seen);
        if (seen != right && !at.AnythingGoes) throw World.Wrong($"{Name} loads {seen:x} from word {word} of page {at.Model[page].Number} of {at.Model.Name}; it stored {right:x}");
        return touch;
    }

    /// <summary>Stores a value that was never stored before (or one of few, to give short hashes their chance).</summary>
    public Touch Store(Attachment at, int page, int word)
    {
        _doing = $"store to page {at.Model[page].Number} of {at.Model.Name}";
        Touch touch = process.Memory.Access(at.AddressOf(page) + SegmentModel.Offsets[word], true, this, out byte* address);
        if (touch != Touch.Done) return Told(touch, at, page);
        PageModel model = at.Model[page];
        ulong seen = *(ulong*)address;
        if (seen != model.Words[word] && !at.AnythingGoes) throw World.Wrong($"{Name} finds {seen:x} where it stores to word {word} of page {model.Number} of {at.Model.Name}; it stored {model.Words[word]:x}");
        long moment = process.World.Moment();
        *(ulong*)address = process.NextValue(moment);
        if (!at.AnythingGoes || model.Inherited) model.Store(moment, word, *(ulong*)address);
        Note("stores to page {0}: {1:x}", model.Number, (long)*(ulong*)address);
        return touch;
    }

    /// <summary>Stores to all words of a page in one moment: nobody may ever see some of them without the others.</summary>
    public Touch StoreAll(Attachment at, int page)
    {
        PageModel model = at.Model[page];
        _doing = $"store to page {model.Number} of {at.Model.Name}";
        Touch touch = process.Memory.Access(at.AddressOf(page), true, this, out byte* address);
        if (touch != Touch.Done) return Told(touch, at, page);
        long moment = process.World.Moment();
        ulong value = process.NextValue(moment);
        Note("stores to all of page {0}: {1:x}", model.Number, (long)value);
        for (int w = 0; w < SegmentModel.Words; w++)
        {
            *(ulong*)(address + SegmentModel.Offsets[w]) = value;
            if (!at.AnythingGoes || model.Inherited) model.Store(moment, w, value);
        }
        return touch;
    }

    /// <summary>Looks at a whole page in one moment: what a reader can be promised is about pages.</summary>
    public Touch Look(Attachment at, int page)
    {
        PageModel model = at.Model[page];
        _doing = $"look at page {model.Number} of {at.Model.Name}";
        Touch touch = process.Memory.Access(at.AddressOf(page), false, this, out byte* address);
        if (touch != Touch.Done) return Told(touch, at, page);
        Span<ulong> seen = stackalloc ulong[SegmentModel.Words];
        bool clean = PageModel.TryRead(new ReadOnlySpan<byte>(address, Layout.PageSize), seen);
        Note("looks at page {0}: {1:x}", model.Number, (long)seen[0]);
        if (at.AnythingGoes) return touch;
        string where = $"page {model.Number} of {at.Model.Name}";
        if (!clean) throw World.Wrong($"{Name} finds bytes in {where} that nobody stored");
        if (at.ReadOnly || model.Inherited)
        {
            if (!model.Was(seen, at.NotBefore[page])) throw World.Wrong($"{Name} sees {where} as {PageModel.Text(seen)}; since the last flush it never was; now it is {PageModel.Text(model.Words)}");
            if (!at.ReadOnly) model.Adopt(process.World.Moment(), seen);
        }
        else if (!seen.SequenceEqual(model.Words))
        {
            throw World.Wrong($"{Name} sees {where} as {PageModel.Text(seen)}; it stored {PageModel.Text(model.Words)}");
        }
        return touch;
    }

    /// <summary>Asks the pager for something; the thread is woken when it ended, and finds the answer in <see cref="Result"/>.</summary>
    public void Ask(PagerCommand command)
    {
        _doing = $"{command.Kind}";
        Note(CommandText(command.Kind), command.Address, command.Length);
        process.Send(command, this);
    }

    public void Waits(string what) => _doing = what;

    public void Note(string what, long a = 0, long b = 0) => process.World.Note(Name, what, a, b);

    private Touch Told(Touch touch, Attachment at, int page)
    {
        Note(touch switch { Touch.Faults => "faults on page {0} of segment {1}", Touch.Segv => "SIGSEGV on page {0} of segment {1}", _ => "SIGBUS on page {0} of segment {1}" },
            at.Model[page].Number, (long)at.Model.Id.Value);
        return touch;
    }

    private static string CommandText(PagerCommandKind kind) => kind switch
    {
        PagerCommandKind.Map => "asks for Map",
        PagerCommandKind.Resize => "asks for Resize of {0:x} to {1} bytes",
        PagerCommandKind.Unmap => "asks for Unmap of {0:x}",
        PagerCommandKind.Discard => "asks for Discard of {0:x}, {1} bytes",
        PagerCommandKind.Prefetch => "asks for Prefetch of {0:x}, {1} bytes",
        PagerCommandKind.Flush => "asks for Flush of {0:x}, {1} bytes",
        PagerCommandKind.FlushAndDrop => "asks for FlushAndDrop of {0:x}, {1} bytes",
        PagerCommandKind.Pin => "asks for Pin of {0:x}, {1} bytes",
        PagerCommandKind.Unpin => "asks for Unpin of {0:x}, {1} bytes",
        _ => "asks for Revoke",
    };
}
