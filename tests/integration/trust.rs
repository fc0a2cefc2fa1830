//! Who can replace an interpreter. In execution mode it is looked for at each execution, and with the flag `C` it runs with
//! the rights of setuid programs: whoever replaces it then becomes root.
