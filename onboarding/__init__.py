"""The product: a customer's WhatsApp number, from Meta's window to CONNECTED."""
