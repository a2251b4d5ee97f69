"""Pages of the documentation that are made from the rules and from the program: the law book, the HTTP reference, the doubts."""
