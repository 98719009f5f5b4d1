"""Strategy definitions v3, checked without a hub: fields, references, expressions, and what MesoLive makes of them."""
