// Package config reads the settings of Drawbridge and checks them: defaults, then the YAML file, then the environment, then the
// flags, each over the one before. It reports every mistake at once and says what to do. It opens nothing but the files
// that the settings themselves name, and it knows nothing of what the settings are used for.
package config
