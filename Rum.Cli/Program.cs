return await Rum.Cli.RumCommand.RunAsync(args);
