// One process has one session, so one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
