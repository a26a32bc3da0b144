"""The development stack: real servers as private processes, and the commands behind the Makefile.

Nothing in here is shipped. `process` and `ports` are the ground, `rabbitmq` and `mongodb` are the
two servers, `install` finds their programs.
"""
