"""What the families of commands share. No family imports another: what two of them need is in here."""
