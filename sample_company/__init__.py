"""A seeded B2B SaaS company: its raw files as its systems would deliver them, and their truth."""

from sample_company.generate import Summary, generate

__all__ = ["Summary", "generate"]
