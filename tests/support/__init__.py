"""What the tests share: the choice of servers, databases cloned from templates, topics, waiting."""
