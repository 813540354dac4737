using System.Collections;
using System.Text.Json;

namespace Rum.Silo.Configuration;

/// <summary>Gathers settings as text: the settings file first, the environment over it, flags over both.</summary>
public sealed class SettingSources
{
    private readonly Dictionary<string, SettingValue> _values = [];
    private readonly List<string> _errors = [];

    /// <summary>The last value of each key.</summary>
    public IReadOnlyDictionary<string, SettingValue> Values => _values;

    /// <summary>What could not be read, a line each.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Takes a flag's value.</summary>
    public void AddFlag(SiloSetting setting, string text) => _values[setting.Key] = new SettingValue(text, setting.Flag);

    /// <summary>Takes every RUM_SILO_ variable; one that no setting has is an error, because it is most likely a typing error.</summary>
    public void AddEnvironment(IDictionary environment)
    {
        foreach (DictionaryEntry entry in environment)
        {
            string name = (string)entry.Key;
            if (!name.StartsWith("RUM_SILO_", StringComparison.Ordinal)) continue;
            SiloSetting? setting = SiloSetting.All.FirstOrDefault(s => s.Variable == name);
            if (setting is null) _errors.Add($"environment variable {name} is no setting of a silo; see: rum silo run --help");
            else _values[setting.Key] = new SettingValue((string?)entry.Value ?? "", name);
        }
    }

    /// <summary>Takes a settings file: one flat JSON object, the values strings, numbers or truth values.</summary>
    public void AddFile(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                _errors.Add($"{path}: expected a JSON object such as {{ \"memory\": \"4G\" }}");
                return;
            }
            foreach (JsonProperty property in document.RootElement.EnumerateObject()) AddProperty(path, property);
        }
        catch (JsonException e)
        {
            _errors.Add($"{path}:{e.LineNumber + 1}:{e.BytePositionInLine + 1}: not JSON; expected an object such as {{ \"memory\": \"4G\" }}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _errors.Add($"settings file {path} can't be read: {e.Message}");
        }
    }

    private void AddProperty(string path, JsonProperty property)
    {
        if (SiloSetting.Find(property.Name) is null)
        {
            _errors.Add($"{path}: '{property.Name}' is no setting of a silo; see: rum silo run --help");
            return;
        }
        string? text = property.Value.ValueKind switch
        {
            JsonValueKind.String => property.Value.GetString(),
            JsonValueKind.Number => property.Value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };
        if (text is null) _errors.Add($"{path}: '{property.Name}' must be a string, a number, true or false");
        else _values[property.Name] = new SettingValue(text, path);
    }
}
