# The state file is written where it stands.
s/"%s.new", file->name/"%s", file->name/
