using Rum.Client.Child;

if (args.Length == 0 || Scenario.Find(args[0]) is not { } scenario)
{
    Console.Error.WriteLine("Scenarios: " + string.Join(", ", Scenario.Names));
    return 2;
}

return await scenario(args[1..]);
