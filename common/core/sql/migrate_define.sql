-- Functions and views were applied.  $1 SHA-256 of their files, $2 version of the program
update bf.meta set definitions = $1::text, definitions_by = $2::text;
