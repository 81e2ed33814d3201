-- Of a queue that is full, those who have sent the most make room.
ALTER TABLE to_device ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;
