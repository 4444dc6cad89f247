"""What an event costs: the worker beside reading alone and beside an ordinary Faust agent, on a real Kafka."""
