"""Who the customer is and what they may see. Knows nothing of WhatsApp."""
