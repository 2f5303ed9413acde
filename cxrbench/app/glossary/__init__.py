"""The Glossary page: the words of the workbench."""
