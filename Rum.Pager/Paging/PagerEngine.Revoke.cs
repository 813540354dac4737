using Rum.Core;

namespace Rum.Pager.Paging;

// The end of everything: the session is over.
public sealed unsafe partial class PagerEngine
{
    /// <summary>
    /// Unmaps all. What is under way ends now, and not when a silo answers: no view leads this client to those that would.
    /// </summary>
    private void Revoke(RumError why)
    {
        _revoked = why;
        while (_regions.Open.Length > 0) Abandon(_regions.Open[0], why);
        AbandonTakeOvers(why);
        for (; _writeQueued > 0; _writeQueued--)
        {
            int write = _writeQueue[_writeHead];
            _writeHead = (_writeHead + 1) % _writeQueue.Length;
            Orphaned(ref _writes[write]);
            ReleaseWrite(write);
        }

        for (int write = 0; write < _writes.Length; write++)
            if (_writes[write].Region is not null) _channel.Cancel(WriteCookie | (uint)write);
        for (int fetch = 0; fetch < _fetches.Length; fetch++)
            if (_fetches[fetch].Asked != 0) _channel.Cancel(CookieOf(fetch));
        for (int trim = 0; trim < TrimCount; trim++)
            if (_trims[trim].Sent) _channel.Cancel((ulong)trim);
    }
}
