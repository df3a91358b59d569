// The YAML file → typed settings, and every error in it with file, line and column. May import Diagnostics.
