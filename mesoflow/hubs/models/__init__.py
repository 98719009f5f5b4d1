"""Models of what goes over the wire, one family a file. Import the family you need: nothing is re-exported here."""
