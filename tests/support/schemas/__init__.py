"""What we promise to others, made from the code: event schemas, AsyncAPI, OpenAPI."""
