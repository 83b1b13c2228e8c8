'use strict'

const helpers = require('./helpers')

module.exports = function (db) {
  db.exists = async function (key) {
    if (Array.isArray(key)) {
      const batch = db.client.batch()
      key.forEach((one) => batch.exists(one))
      return helpers.resultsToBool(await helpers.execBatch(batch))
    }
    return (await db.client.exists(key)) === 1
  }

  db.scan = async function ({ match }) {
    let cursor = '0'
    let found = []
    do {
      const reply = await db.client.scan(cursor, 'MATCH', match, 'COUNT', 10000)
      cursor = reply[0]
      found = found.concat(reply[1])
    } while (cursor !== '0')
    return [...new Set(found)].sort()
  }

  db.deleteAll = async (keys) => await db.client.del(keys)
  db.set = async (key, value) => await db.client.set(key, value)
  db.get = async (key) => await db.client.get(key)
  db.mget = async (keys) => await db.client.mget(keys)
  db.increment = async (key) => await db.client.incr(key)
  db.pexpireAt = async (key, timestamp) => await db.client.pexpireat(key, timestamp)

  db.rename = async function (from, to) {
    try {
      await db.client.rename(from, to)
    } catch (error) {
      if (error && error.message !== 'ERR no such key') throw error
    }
  }

  db.type = async function (key) {
    const type = await db.client.type(key)
    return type !== 'none' ? type : null
  }

  db.setAdd = async (key, values) => await db.client.sadd(key, values)
  db.setRemove = async function (key, values) {
    await db.client.srem(Array.isArray(key) ? key[0] : key, values)
  }
  db.listPrepend = async (key, value) => await db.client.lpush(key, value)
  db.listTrim = async (key, start, stop) => await db.client.ltrim(key, start, stop)
}
