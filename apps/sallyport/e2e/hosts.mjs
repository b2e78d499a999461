// What an entry in the hosts file would do, for one process: every name below sallyport.test is this machine. Loaded with NODE_OPTIONS=--import.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

const { lookup } = dns
const { lookup: lookupAsync } = dns.promises
const here = (name) => typeof name === 'string' && /(^|\.)sallyport\.test$/i.test(name)

dns.lookup = (name, options, callback) => lookup(here(name) ? '127.0.0.1' : name, options, callback)
dns.promises.lookup = (name, options) => lookupAsync(here(name) ? '127.0.0.1' : name, options)
syncBuiltinESMExports()
