'use strict'

const helpers = require('./helpers')

module.exports = function (db) {
  db.setObject = async function (key, data) {
    const fields = { ...data }
    Object.keys(fields).forEach((field) => {
      if (fields[field] === undefined || fields[field] === null) delete fields[field]
    })
    if (!Object.keys(fields).length) return
    if (Array.isArray(key)) {
      const batch = db.client.batch()
      key.forEach((one) => batch.hmset(one, fields))
      await helpers.execBatch(batch)
    } else {
      await db.client.hmset(key, fields)
    }
  }

  db.getObject = async function (key) {
    const data = await db.client.hgetall(key)
    return Object.keys(data).length ? data : null
  }

  db.getObjects = async function (keys) {
    const batch = db.client.batch()
    keys.forEach((key) => batch.hgetall(key))
    return (await helpers.execBatch(batch)).map((data) => (Object.keys(data).length ? data : null))
  }

  db.incrObjectFieldBy = async function (key, field, value) {
    if (Array.isArray(key)) {
      const batch = db.client.batch()
      key.forEach((one) => batch.hincrby(one, field, value))
      return (await helpers.execBatch(batch)).map((count) => parseInt(count, 10))
    }
    return parseInt(await db.client.hincrby(key, field, value), 10)
  }

  db.isObjectField = async (key, field) => (await db.client.hexists(key, field)) === 1
  db.deleteObjectFields = async (key, fields) => await db.client.hdel(key, fields)
}
