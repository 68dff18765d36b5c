-- Who saw or tried what: written down before it is answered.
redis.call('XADD', k.out, '*', 'e', a.entry)
return {'ok', ''}
