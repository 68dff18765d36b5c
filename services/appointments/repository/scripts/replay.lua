-- The answer that a request was given before.
return answered() or {'ok', ''}
