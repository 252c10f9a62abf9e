# Fills TEMPLATE with VERSION, the commit that COMMIT_FILE holds and the time (SOURCE_DATE_EPOCH is honoured).
file(READ ${COMMIT_FILE} COMMIT)
string(TIMESTAMP BUILD_TIME "%Y-%m-%dT%H:%M:%SZ" UTC)
configure_file(${TEMPLATE} ${OUTPUT}.new @ONLY)
file(RENAME ${OUTPUT}.new ${OUTPUT})
