using Microsoft.Extensions.Options;

namespace Rum.Hosting;

/// <summary>The rules of <see cref="RumClientOptions"/> for the host.</summary>
internal sealed class RumClientOptionsValidator : IValidateOptions<RumClientOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, RumClientOptions options)
    {
        string[] problems = [.. options.Problems()];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
