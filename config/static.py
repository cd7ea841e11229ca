"""Static files as production serves them: named by their content, compressed beforehand."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """`base.css` becomes `base.0a1b2c3d4e5f.css`, also where our modules import each other."""

    support_js_module_import_aggregation = True
