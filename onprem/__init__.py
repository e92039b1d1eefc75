"""onprem"""
