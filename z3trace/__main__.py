from z3trace.cli import main

main()
