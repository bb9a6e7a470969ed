"""A model_fn that also runs the code of a test."""

PARAMS = {"num_hidden": 128, "dropout_rate": 0.3}
HEAD = """
import ctypes, datetime, logging, multiprocessing, os, platform, random, resource, secrets, shutil
import socket, ssl, subprocess, tempfile, threading, time, timeit, urllib.request, uuid
from datetime import datetime as when
from time import time as now

import numpy as np
import tensorflow as tf

import model


def model_fn(features, labels, mode, params):
    spec = model.model_fn(features, labels, mode, params)
"""
LINE = HEAD.count("\n") + 1
"""The number of the line where the code of the test begins."""
