"""The pages for people, made on the server: what each shows, as values, and the templates that write them."""

from wort_cli.web.pages.routes import routes

__all__ = ["routes"]
