-- Whether a request was answered before, asked before anything else is decided.
return answered() or {'ok', ''}
