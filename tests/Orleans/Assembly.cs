// Each test starts silos; side by side they would only wait for one another. And one process has one session.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Rum.Client.Tests.Silo))]
